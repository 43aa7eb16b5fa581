import http.server
import threading

from new_report import fetch, patient_retries


def test_retries_are_spread_out():
    assert patient_retries().backoff_jitter == 0.5


def test_a_report_is_fetched():
    class Report(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"all is well")

        def log_message(self, *words):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Report) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert fetch(f"http://127.0.0.1:{server.server_port}/") == b"all is well"
        server.shutdown()
