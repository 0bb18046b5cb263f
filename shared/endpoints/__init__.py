"""Online endpoints: rollout, idle policy, waking, scoring."""
