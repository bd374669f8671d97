"""What a project left behind: its data root, labels and outputs, and how they differ from ours."""
