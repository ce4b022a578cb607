"""The least that fetches given requests and decodes them: `python minimum.py FILE [WORKERS]`.

The file has the requests, one JSON object a line: `method`, `url`, `body`, `scope`. They go one after another, or with
more workers all at once. Whoever signs in uses azure-identity.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from azure.identity import EnvironmentCredential

HTTP_BAD_REQUEST = 400


def main() -> None:
    """Print how many bytes came."""
    path, workers = Path(sys.argv[1]), int(sys.argv[2])
    asked = [json.loads(line) for line in path.read_text().splitlines()]
    credential = EnvironmentCredential(authority=os.environ["AZURE_AUTHORITY_HOST"], disable_instance_discovery=True)
    tokens = {scope: credential.get_token(scope).token for scope in {each["scope"] for each in asked}}
    session = requests.Session()
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=workers))

    def fetch(each: dict[str, Any]) -> int:
        headers = {"Authorization": f"Bearer {tokens[each['scope']]}"}
        answer = session.request(each["method"], each["url"], json=each["body"], headers=headers, timeout=600)
        if answer.status_code != HTTP_BAD_REQUEST:  # which is how a workspace answers that lacks the table
            answer.raise_for_status()
        answer.json()
        return len(answer.content)

    if workers == 1:
        print(sum(map(fetch, asked)))
    else:
        with ThreadPoolExecutor(workers) as pool:
            print(sum(pool.map(fetch, asked)))


if __name__ == "__main__":
    main()
