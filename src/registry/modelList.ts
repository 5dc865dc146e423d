import { namesOf } from '../models/catalog.js';
import { formatModelRef } from '../models/modelRef.js';
import type { ModelRef } from '../models/types.js';
import type { ProviderSet } from '../providers/types.js';
import { TemperedError } from '../task/errors.js';
import { didYouMean } from '../task/nearest.js';

/** How long a list is trusted; milliseconds. */
const TRUST_MS = 60_000;

/** Models named in an error. */
const SHOWN = 5;

/** An endpoint has no such model. */
export class ModelNotFoundError extends TemperedError {
  constructor(
    /** What was looked for. */
    readonly ref: ModelRef,
    /** What the endpoint lists. */
    readonly available: readonly string[],
  ) {
    const more = available.length > SHOWN ? ` (and ${available.length - SHOWN} more)` : '';
    const shown = available.length === 0 ? 'It lists none.' : `It has ${available.slice(0, SHOWN).join(', ')}${more}.`;
    const meant = didYouMean(ref.model, available);
    super('model_not_found', `${ref.provider} has no model "${ref.model}".${meant}`, { remedy: shown });
  }
}

/** What endpoints list, kept for a minute; however many ask at once, an endpoint is asked once. */
export class ModelLists {
  private readonly lists = new Map<string, { readonly until: number; readonly ids: Promise<readonly string[]> }>();

  constructor(
    private readonly providers: ProviderSet,
    private readonly now: () => number = Date.now,
  ) {}

  /** The model ids an endpoint lists. Throws `TemperedError`; a failure is not kept. */
  async list(provider: string): Promise<readonly string[]> {
    const kept = this.lists.get(provider);
    if (kept !== undefined && kept.until > this.now()) return kept.ids;
    const ids = this.providers.get(provider).listModels(new AbortController().signal);
    this.lists.set(provider, { until: this.now() + TRUST_MS, ids });
    try {
      return await ids;
    } catch (error) {
      this.lists.delete(provider);
      throw error;
    }
  }

  /** Throws {@link ModelNotFoundError} when the endpoint does not list the model under any documented name. */
  async check(ref: ModelRef): Promise<void> {
    const listed = await this.list(ref.provider);
    if (!namesOf(ref).some((name) => listed.includes(name))) throw new ModelNotFoundError(ref, listed);
  }

  /** The model when the endpoint has it, else the fallback when there is one. */
  async resolve(ref: ModelRef, fallback: ModelRef | undefined): Promise<string> {
    try {
      await this.check(ref);
      return formatModelRef(ref);
    } catch (error) {
      if (!(error instanceof ModelNotFoundError) || fallback === undefined) throw error;
      await this.check(fallback);
      return formatModelRef(fallback);
    }
  }
}
