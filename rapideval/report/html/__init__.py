"""One self-contained HTML page of a comparison or a gate: it opens from disk and asks nothing of a network."""

from rapideval.report.html.evidence import Evidence
from rapideval.report.html.pictures import Photographs
from rapideval.report.html.report import charts_of, report_page

__all__ = ["Evidence", "Photographs", "charts_of", "report_page"]
