"""The gateways to Azure ML: jobs, models, the registry, computes, online endpoints. They decide nothing."""
