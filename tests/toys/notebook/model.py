"""How a notebook is configured: addresses of pages, each a JSON list of answers that somebody wrote down."""

from typing import Literal

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.configuration.model import key
from engagement.configuration.source_model import RawDataSource
from engagement.configuration.value_types import StorageUrl


class NotebookSource(RawDataSource):
    """Answers that were given by word of mouth."""

    flow_keys = ("EpisodePages", "SurveyPages")

    source_type: Literal["Notebook"] = key("SourceType", "'Notebook'", "Notebook")
    episode_pages: tuple[StorageUrl, ...] = key("EpisodePages", "pages of answers to episodes", ["gs://n/e1.json"], ())
    survey_pages: tuple[StorageUrl, ...] = key("SurveyPages", "pages about participants", ["gs://n/age.json"], ())

    @property
    def activation_flow_names(self) -> tuple[str, ...]:
        """The names of the pages with answers to episodes."""
        return tuple(map(flow_name_of_url, self.episode_pages))

    @property
    def survey_flow_names(self) -> tuple[str, ...]:
        """The names of the pages about participants."""
        return tuple(map(flow_name_of_url, self.survey_pages))

    @property
    def pages(self) -> tuple[str, ...]:
        """The addresses of all pages, in the order of the flows."""
        return (*self.episode_pages, *self.survey_pages)
