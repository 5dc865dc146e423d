/**
 * Durable LLM batches on Temporal: one valid, accounted-for answer per record.
 *
 * @packageDocumentation
 */

// What to do with each record.
export { defineTask } from './task/defineTask.js';
export type { AnyTask, OutputOf, Task, TaskOptions } from './task/defineTask.js';
export { reviewSafety } from './task/safety.js';
export type { SafetyLevel } from './task/safety.js';
export { loadTask } from './task/loadTask.js';
export type { MaxFailures } from './task/maxFailures.js';
export type {
  BatchApiConfig,
  CacheConfig,
  FallbackConfig,
  OptimizationConfig,
  OptimizationLayer,
  OptimizationOptions,
} from './task/optimization.js';
export type { ContentPart, Message, PoolLimits, Stage, TaskFunctionName, TaskSpec } from './task/spec.js';
export type {
  AttemptContext,
  BeforeResult,
  ClassifyResult,
  ExecuteResult,
  LoadFunctions,
  PostProcessResult,
  TaskFunctions,
  TaskRequest,
  UserState,
  ValidateResult,
} from './task/functions.js';

// Running it over data.
export { runBatch, startBatch } from './client/library.js';
export { openTempered, Tempered } from './client/tempered.js';
export type {
  OverlapPolicy,
  ScheduledOptions,
  ScheduleOptions,
  Schedules,
  ScheduleState,
} from './client/schedules/schedules.js';
export type { BatchRun, EndpointCircuit, StartedBatch, TaskSource } from './client/tempered.js';
export type { ServerState } from './client/context.js';
export type { TemperedOptions } from './client/openContext.js';
export type { BatchData } from './client/spool.js';
export type { StartOptions, Submission } from './client/submit.js';
export type { LoadReport, SkippedRecord } from './client/load.js';
export type { RetryOptions } from './client/retry.js';
export type { WorkOptions } from './client/work.js';
export type { RunningWorker } from './client/work.js';

// What it will cost, and did.
export type { CostKey, CostOptions, CostRow, Costs } from './client/costs.js';
export type { CacheStatistics } from './client/cacheStatistics.js';
export type {
  BudgetCheck,
  Estimate,
  EstimateOptions,
  ExplicitCacheEstimate,
  ModelEstimate,
  MoneyRange,
  PilotRun,
} from './client/estimate/types.js';
export type { PaceLimit } from './client/estimate/duration.js';

// Reading and steering a batch.
export { BatchHandle } from './client/handle.js';
export type { BatchSnapshot, MoneySoFar } from './client/snapshot.js';
export type { BatchSummary, SummaryUsage } from './client/summary.js';
export type { LatestOutcome } from './client/latest.js';
export type { TypedOutcome } from './client/typedOutcome.js';
export type {
  Counters,
  Issue,
  Outcome,
  OutcomeMetadata,
  OutcomeStatus,
  PromptRecord,
  PromptVerdict,
  SafetyRating,
  StageCount,
  StageKind,
  Variation,
} from './task/outcome.js';
export type { Usage } from './task/usage.js';

// One question to one model.
export { callModel as call } from './client/callModel.js';
export type {
  CallAnswer,
  CallError,
  CallFailure,
  CallModelOptions,
  CallOptions,
  CallResult,
} from './client/callModel.js';

// Handles of single models.
export { openRegistry } from './client/openRegistry.js';
export type { RegistryOptions } from './client/openRegistry.js';
export { optimize } from './registry/optimize.js';
export type { GetLlmOptions, HandleCounts, Registry } from './registry/registry.js';
export type { ContextUse, EnhancedLlm, EnhancedOptions, LlmMetadata } from './registry/enhanced.js';
export type {
  InvokeOptions,
  Llm,
  LlmAnswer,
  LlmChunk,
  LlmDescription,
  LlmInput,
  LlmMessage,
  LlmParameters,
  StructuredAnswer,
  StructuredLlm,
} from './registry/types.js';
export type { AssistantTurn, ToolCall, ToolChoice, ToolResult, ToolSpec, Turn } from './providers/turns.js';
export type { Capability, PriceBand } from './models/types.js';
export { LlmError } from './registry/ask.js';
export type { LlmErrorDetails } from './registry/ask.js';
export { ModelNotFoundError } from './registry/modelList.js';

// What goes wrong.
export { TemperedError } from './task/errors.js';
export type { ErrorCategory, ItemError, Place } from './task/errors.js';
export type { Json, JsonObject } from './task/json.js';
