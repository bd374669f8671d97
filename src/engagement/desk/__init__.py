"""What people type beside the stages."""
