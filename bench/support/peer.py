"""Runs async-batch-llm once: `peer.py JSON`. Prints one line of JSON: what it took.

{baseUrl, n, concurrency, checkpoint (path or null), resume, cooldownSeconds (null = its default), instructions}
"""

import asyncio
import json
import resource
import sys
import time
from typing import Literal

import async_batch_llm as abl
from async_batch_llm.core.config import ProcessorConfig, RateLimitConfig
from pydantic import BaseModel

OPTIONS = json.loads(sys.argv[1])


class Answer(BaseModel):
    label: Literal["bug", "billing", "other"]
    urgent: bool


def prompt(index):
    text = f"The export of report {index} fails since Monday: the page stays white and nothing is saved."
    return (str(index), f"#{index} {text}")


async def main():
    strategy = abl.llm(
        "openai-compatible:stub",
        base_url=OPTIONS["baseUrl"],
        api_key="none",
        response_parser=abl.pydantic_json_parser(Answer),
        system_instruction=OPTIONS["instructions"],
        temperature=0,
    )
    cooldown = OPTIONS.get("cooldownSeconds")
    limits = {} if cooldown is None else {"rate_limit": RateLimitConfig(cooldown_seconds=cooldown)}
    config = ProcessorConfig(concurrency=OPTIONS["concurrency"], **limits)
    more = {}
    if OPTIONS.get("checkpoint"):
        more["artifact_store"] = abl.SqliteArtifactStore(
            OPTIONS["checkpoint"], output_decoder=lambda value: Answer.model_validate(value)
        )
        more["resume"] = abl.ResumePolicy.REUSE_SUCCESSES if OPTIONS.get("resume") else abl.ResumePolicy.NONE
    prompts = [prompt(index) for index in range(OPTIONS["n"])]
    begun = time.monotonic()
    batch = await abl.process_prompts(strategy, prompts, config=config, **more)
    seconds = time.monotonic() - begun
    succeeded = sum(1 for result in batch.results if result.success)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "succeeded": succeeded,
                "cpuMs": 1000 * (used.ru_utime + used.ru_stime),
                "peakMb": used.ru_maxrss / 1024,
            }
        )
    )


asyncio.run(main())
