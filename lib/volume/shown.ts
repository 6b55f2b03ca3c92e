/** Text from a file, fit for a one-line message: in quotes, without control characters, not endless. */
export function shown(text: string | undefined): string {
  const clean = (text ?? "").replace(/[^ -~]/g, "?");
  return `"${clean.length > 60 ? `${clean.slice(0, 57)}...` : clean}"`;
}
