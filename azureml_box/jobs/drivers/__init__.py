"""Scripts that steps run which are no command of their own: each stands alone, in the step's own process."""
