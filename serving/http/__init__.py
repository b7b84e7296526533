"""The HTTP door: metrics for dashboards, notebooks and programs, each seeing what its key may see."""
