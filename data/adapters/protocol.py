"""How an adapter speaks with `fusiongen queries run`: one JSON object a line in, one out."""

import datetime
import json
import os
import sys

# Engines and their processes may print; replies go to the real stdout only.
replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def plain(value):
    """Dates as text; integers, texts, booleans and nulls as they are."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def serve(open_corpus, run):
    """Answers requests until there are no more. An error of the engine is an answer, too."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "open" in request:
                reply = open_corpus(request["open"].get("threads"), request["open"]["statements"])
            else:
                reply = run(request["run"]["sql"])
            text = json.dumps(reply)
        except Exception as error:
            text = json.dumps({"error": f"{type(error).__name__}: {error}"})
        print(text, file=replies, flush=True)
