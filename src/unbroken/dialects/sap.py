"""SAP's orchestration service: chunks of OpenAI's chat inside of its own.

https://help.sap.com/docs/sap-ai-core/generative-ai/orchestration, and the types in `SAP/ai-sdk-js`,
packages/orchestration. The chunk that the modules made of the model's stands in `final_result`.
"""

from __future__ import annotations

from .declared import declare

SAPOrchestration = declare(
    "sap-orchestration",
    recognised_by=["[request_id:text][final_result.choices:list]"],
    like="openai-chat",
    inside="final_result",
    id="final_result[id].id",
    model="final_result[model].model",
)
