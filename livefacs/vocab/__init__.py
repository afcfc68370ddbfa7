"""Names and their order: FACS channels, ARKit controls, coding schemes."""
