"""The only place that touches an Azure SDK; everything in it is made once, lazily."""
