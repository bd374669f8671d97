"""What the container of a tally needs: a host in this example, so that it shows."""

from engagement.services.container_needs import ContainerNeeds
from engagement.stages.needs import StageStart


def add_needs(needs: ContainerNeeds, start: StageStart) -> None:
    """A server of this machine's."""
    needs.add_host("http://127.0.0.1:8099")
