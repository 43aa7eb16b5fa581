"""Fetches a report with what urllib3 2 brought."""

import urllib3
from urllib3.util.retry import Retry


def patient_retries():
    # Neither of the two is in urllib3 1.
    return Retry(total=3, allowed_methods=["GET", "POST"], backoff_jitter=0.5)


def fetch(url):
    return urllib3.request("GET", url, retries=patient_retries()).data
