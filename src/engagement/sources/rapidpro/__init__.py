"""RapidPro workspaces: runs and contacts, de-identified at the door."""
