"""The contract of Azure Resource Manager: fields, enumerations and query parameters, and what holds requests against it."""
