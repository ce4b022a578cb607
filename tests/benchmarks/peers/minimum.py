"""The least that fetches given requests and decodes them: `python minimum.py FILE WORKERS [CLOUD]`.

The file has the requests, one JSON object a line: `method`, `url`, `body`, `scope`, `round`. They go one after another,
or with more workers all at once. Whoever signs in uses azure-identity, at the authority that the environment names.
With the address of a cloud that is asked first who its authority is, and one round goes after another.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import requests
from azure.identity import EnvironmentCredential

HTTP_BAD_REQUEST = 400


def main() -> None:
    """Print how many bytes came."""
    path, workers = Path(sys.argv[1]), int(sys.argv[2])
    asked = [json.loads(line) for line in path.read_text().splitlines()]
    session = requests.Session()
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=workers))
    authority, rounds = os.environ["AZURE_AUTHORITY_HOST"], [asked]
    if cloud := sys.argv[3:]:
        told = session.get(f"{cloud[0]}/metadata/endpoints?api-version=2019-05-01", timeout=600).json()
        own = next(each for each in told if each["resourceManager"].rstrip("/") == cloud[0])
        authority = own["authentication"]["loginEndpoint"]
        rounds = [list(some) for _, some in groupby(sorted(asked, key=itemgetter("round")), itemgetter("round"))]
    credential = EnvironmentCredential(authority=authority, disable_instance_discovery=True)
    tokens = {scope: credential.get_token(scope).token for scope in {each["scope"] for each in asked}}

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
            print(sum(sum(pool.map(fetch, some)) for some in rounds))


if __name__ == "__main__":
    main()
