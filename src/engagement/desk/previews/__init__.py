"""What a change of the configuration would change."""
