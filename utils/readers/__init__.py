"""Real files in the schema of the worlds: `abi` and `glm` (GOES), `mrms` (radar), `cmip`."""
