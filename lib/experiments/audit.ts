/**
 * What the printed numbers say of each other, with no run at all: each check with its arithmetic. Findings are
 * about numbers on paper; they do not say which of two numbers is the right one, or why they differ.
 */
import type { AuditEntry } from "./audit_entry.ts";
import { boundChecks } from "./audit_bounds.ts";
import { countChecks, figureChecks, originChecks, venueChecks } from "./audit_facts.ts";
import { complexityChecks, complexityClaimChecks } from "./audit_complexity.ts";
import { claimChecks, gainChecks, repeatedRowChecks } from "./audit_rows.ts";

/** All checks, in the order of their kinds. */
export function paperAudit(): AuditEntry[] {
  return [
    ...repeatedRowChecks(),
    ...gainChecks(),
    ...claimChecks(),
    ...complexityClaimChecks(),
    ...boundChecks(),
    ...countChecks(),
    ...venueChecks(),
    ...complexityChecks(),
    ...figureChecks(),
    ...originChecks(),
  ];
}
