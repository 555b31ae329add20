"""The gate on pull requests: which files are new or changed, and what of the history's past must not have changed."""
