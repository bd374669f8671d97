"""The life of one message, pure: messages -> coding -> folding -> outputs."""
