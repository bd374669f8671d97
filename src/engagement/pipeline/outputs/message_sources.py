"""Find the source and the flow that each message came from."""

from engagement.configuration import PipelineConfiguration
from engagement.configuration.raw_keys import find_recovered_key, flow_of_key
from engagement.configuration.source_model import ResultKeys
from engagement.pipeline.messages.message import Message


class MessageSources:
    """The source and the flow of each raw key that answers come under."""

    def __init__(self, configuration: PipelineConfiguration) -> None:
        sources = configuration.raw_data_sources
        self._recovered_keys = configuration.recovered_keys
        self._type_of_keys = {source.recovered_keys: source.source_type for source in reversed(sources)}
        self._type_of_flow = {name: source.source_type for source in sources for name in source.flow_names}
        # Its files may hold the results of any flow.
        self._type_of_others = next((s.source_type for s in sources if s.result_keys is ResultKeys.ANY_FLOW), "")

    def tell(self, raw_key: str) -> tuple[str, str]:
        """Tell the type of the source and the flow; "" for what is not known."""
        recovered = find_recovered_key(raw_key, self._recovered_keys)
        if recovered is not None:
            return self._type_of_keys.get(recovered[0], ""), ""
        flow = flow_of_key(raw_key) or ""
        return self._type_of_flow.get(flow, self._type_of_others if flow else ""), flow


class SurveyKeys:
    """The raw keys of surveys' answers: a coder can find that one belongs to an episode."""

    def __init__(self, configuration: PipelineConfiguration) -> None:
        self._keys: dict[str, list[str]] = {}
        # Of several keys for one field the later wins.
        for remapping in reversed(configuration.rapid_pro_key_remappings):
            self._keys.setdefault(remapping.pipeline_key, []).append(remapping.rapid_pro_key)

    def find(self, message: Message) -> str:
        """Find the key under which a survey has the text of a message that moved from there; "" if none does."""
        values = message.record.values
        came_from = None if message.plan is None else values.get(message.plan.source_field)
        fields = came_from if isinstance(came_from, list) else []
        keys = (key for field in fields for key in self._keys.get(field, ()))
        return next((key for key in keys if values.get(key) == message.text), "")
