"""The saved queries of the metrics as models of the dbt project: MetricFlow's SQL, made once and committed."""
