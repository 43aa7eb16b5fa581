"""Fetches a report; written when urllib3 1 was current."""

from urllib3.util.retry import Retry


def patient_retries():
    # urllib3 2 calls it allowed_methods and refuses this name.
    return Retry(total=3, method_whitelist=["GET", "POST"])
