/**
 * TensorBoard's event files: scalars and pictures of a run. A file is a sequence of records, each a length, a
 * checksum, an Event message and a checksum (TFRecord framing); the messages are protocol buffers of
 * tensorflow/core/util/event.proto and framework/summary.proto, version "brain.Event:2".
 */

/** A picture for TensorBoard. */
export interface EventPicture {
  readonly png: Uint8Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** What happened at a step. */
export interface SummaryEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** Values by tag; a slash in a tag groups. */
  readonly scalars?: Readonly<Record<string, number>>;
  readonly pictures?: Readonly<Record<string, EventPicture>>;
}

/** The record that a file begins with. */
export function eventFileHeader(wallTime: number): Uint8Array {
  return record([...doubleField(1, wallTime), ...bytesField(3, utf8("brain.Event:2"))]);
}

/** The record of an event. */
export function eventRecord({ wallTime, step, scalars = {}, pictures = {} }: SummaryEvent): Uint8Array {
  const values = [
    ...Object.entries(scalars).map(([tag, value]) => [...bytesField(1, utf8(tag)), ...floatField(2, value)]),
    ...Object.entries(pictures).map(([tag, { png, width, height }]) => [
      ...bytesField(1, utf8(tag)),
      ...bytesField(4, [
        ...[...varintField(1, height), ...varintField(2, width), ...varintField(3, rgbAndAlpha)],
        ...bytesField(4, png),
      ]),
    ]),
  ];
  return record([
    ...doubleField(1, wallTime),
    ...varintField(2, step),
    ...bytesField(5, values.flatMap((value) => [...bytesField(1, value)])),
  ]);
}

/**
 * The records of a file up to a step, which an interrupted run had saved. A torn or damaged record ends the file.
 */
export function eventsUpTo(file: Uint8Array, step: number): Uint8Array {
  const kept: Uint8Array[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at + headerBytes <= file.length;) {
    const length = Number(view.getBigUint64(at, true));
    const end = at + headerBytes + length + checksumBytes;
    if (end > file.length) break;
    const message = file.subarray(at + headerBytes, at + headerBytes + length);
    if (view.getUint32(end - checksumBytes, true) !== maskedChecksum(message)) break;
    if (stepOf(message) <= step) kept.push(file.subarray(at, end));
    at = end;
  }
  return joined(kept);
}

/** Arrays one behind the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Length and its checksum in front of a message, a checksum behind it. */
const headerBytes = 12;
const checksumBytes = 4;
/** Bytes of the wall time in front of the step in every message that is written here. */
const timeBytes = 9;
const stepKey = 2 << 3;
/** Colour space of pictures. */
const rgbAndAlpha = 4;

function record(message: readonly number[]): Uint8Array {
  const out = new Uint8Array(headerBytes + message.length + checksumBytes);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, maskedChecksum(out.subarray(0, 8)), true);
  out.set(message, headerBytes);
  view.setUint32(
    headerBytes + message.length,
    maskedChecksum(out.subarray(headerBytes, headerBytes + message.length)),
    true,
  );
  return out;
}

/** The step of a message that this file wrote; 0 for the header. */
function stepOf(message: Uint8Array): number {
  if (message[timeBytes] !== stepKey) return 0;
  let step = 0;
  for (let at = timeBytes + 1, factor = 1;; at++, factor *= 128) {
    step += (message[at] & 127) * factor;
    if (message[at] < 128) return step;
  }
}

function doubleField(field: number, value: number): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = field << 3 | 1;
  new DataView(out.buffer).setFloat64(1, value, true);
  return out;
}

function floatField(field: number, value: number): Uint8Array {
  const out = new Uint8Array(5);
  out[0] = field << 3 | 5;
  new DataView(out.buffer).setFloat32(1, value, true);
  return out;
}

function varintField(field: number, value: number): number[] {
  return [field << 3, ...varint(value)];
}

function bytesField(field: number, bytes: ArrayLike<number>): number[] {
  return [field << 3 | 2, ...varint(bytes.length), ...Array.from(bytes)];
}

function varint(value: number): number[] {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push(value % 128 | 128);
  return [...out, value];
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** CRC-32C, reflected polynomial 0x82f63b78, rotated and shifted as the framing asks. */
function maskedChecksum(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 255];
  crc = ~crc >>> 0;
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});
