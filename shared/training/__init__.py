"""Fine-tune parameters, compute checks, the pipeline job."""
