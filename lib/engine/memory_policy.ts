/** Whether training keeps every convolution's output, or those at the ends of segments only. */
export const memoryPolicies = ["normal", "low"] as const;
export type MemoryPolicy = typeof memoryPolicies[number];

let policy: MemoryPolicy = "normal";

/** Sets the policy for all networks of the process. */
export function setMemoryPolicy(to: MemoryPolicy): void {
  policy = to;
}

/** The policy of the process. */
export function memoryPolicy(): MemoryPolicy {
  return policy;
}
