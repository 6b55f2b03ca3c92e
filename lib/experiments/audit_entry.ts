/** What the audit says of one thing. */

/**
 * "consistent": the numbers agree; "inconsistent": two printed statements differ; "impossible": no set of test cases
 * has these numbers; "note": true, and worth knowing when the numbers are compared.
 */
export type Finding = "consistent" | "inconsistent" | "impossible" | "note";

/** One check. */
export interface AuditEntry {
  readonly check: string;
  /** Table, row, or section. */
  readonly where: string;
  readonly arithmetic: string;
  readonly finding: Finding;
}
