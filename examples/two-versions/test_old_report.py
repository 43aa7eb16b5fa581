from old_report import patient_retries


def test_posts_are_tried_again():
    assert patient_retries().is_retry("POST", 503, has_retry_after=True)
