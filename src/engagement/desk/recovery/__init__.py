"""Exports of received SMS, as telecoms make them, compared with what RapidPro has."""
