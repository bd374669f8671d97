"""Redraw the graphs of the automated analysis; its tables, maps and report do not change."""

import argparse

from engagement.stages import automated_analysis


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    automated_analysis.add_arguments(parser)
    parser.set_defaults(graphs_only=True)


def run(args: argparse.Namespace) -> None:
    """Load, draw, save."""
    automated_analysis.run(args)
