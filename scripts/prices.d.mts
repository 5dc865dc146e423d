import type { ModelInfo } from '../src/models/types.js';

/** One of our models with every name its provider documents. */
export interface KnownModel {
  readonly model: string;
  readonly names: readonly string[];
  readonly info: ModelInfo;
}

/** What two tables do not agree on. */
export interface PriceDifferences {
  readonly changed: readonly {
    readonly model: string;
    readonly differences: readonly { readonly what: string; readonly ours: unknown; readonly theirs: unknown }[];
  }[];
  readonly onlyOurs: readonly string[];
  readonly onlyTheirs: readonly string[];
}

/** Compares our models with a table in models.dev's form. */
export function comparePrices(known: readonly KnownModel[], published: object): PriceDifferences;

/** The differences in words. */
export function differencesText(differences: PriceDifferences): readonly string[];
