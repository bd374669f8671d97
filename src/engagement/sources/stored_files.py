"""The shared base of sources that are files at addresses."""

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.configuration.model import key
from engagement.configuration.source_model import RawDataSource
from engagement.configuration.value_types import StorageUrl


class StoredFilesSource(RawDataSource):
    """Files at gs:// or file:// addresses. Each is a flow, which has the file's name."""

    flow_keys = ("ActivationFlowURLs", "SurveyFlowURLs")

    activation_flow_urls: tuple[StorageUrl, ...] = key(
        "ActivationFlowURLs", "files with answers to episodes", ["gs://recovered/s01e01_recovered.csv"], ()
    )
    survey_flow_urls: tuple[StorageUrl, ...] = key(
        "SurveyFlowURLs", "files with answers about participants", ["gs://recovered/demographics.csv"], ()
    )

    @property
    def flow_urls(self) -> tuple[str, ...]:
        """Addresses of all the files, in the order of the flows."""
        return (*self.activation_flow_urls, *self.survey_flow_urls)

    @property
    def activation_flow_names(self) -> tuple[str, ...]:
        """Names of the files with answers to episodes."""
        return tuple(map(flow_name_of_url, self.activation_flow_urls))

    @property
    def survey_flow_names(self) -> tuple[str, ...]:
        """Names of the files with answers about participants."""
        return tuple(map(flow_name_of_url, self.survey_flow_urls))
