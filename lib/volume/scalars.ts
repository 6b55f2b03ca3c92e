/** The number types of volume files: their names, their sizes, and how bytes become typed arrays. */

/** A number type, named as NumPy names it. */
export type ScalarName =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float32"
  | "float64";

/** Numbers as a file holds them; 64-bit integers become float64, exact up to 2⁵³. */
export type StoredArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Bytes of one number. */
export const bytesOf: Readonly<Record<ScalarName, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float32: 4,
  float64: 8,
};

/** Whether numbers of this type are whole. */
export function isIntegerType(type: ScalarName): boolean {
  return !type.startsWith("float");
}

/**
 * The numbers in `bytes`, as a view where the bytes are in the machine's order and aligned, else as a copy.
 *
 * @param bytes a whole number of numbers.
 */
export function decodeScalars(bytes: Uint8Array, type: ScalarName, littleEndian: boolean): StoredArray {
  const size = bytesOf[type];
  const isNative = size === 1 || littleEndian === machineIsLittleEndian;
  // A copy by the constructor: the slice of a Node buffer is a view.
  const own = isNative && bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  if (!isNative) reverseEach(own, size);
  const { buffer, byteOffset } = own;
  const count = own.length / size;
  switch (type) {
    case "int8":
      return new Int8Array(buffer, byteOffset, count);
    case "uint8":
      return new Uint8Array(buffer, byteOffset, count);
    case "int16":
      return new Int16Array(buffer, byteOffset, count);
    case "uint16":
      return new Uint16Array(buffer, byteOffset, count);
    case "int32":
      return new Int32Array(buffer, byteOffset, count);
    case "uint32":
      return new Uint32Array(buffer, byteOffset, count);
    case "float32":
      return new Float32Array(buffer, byteOffset, count);
    case "float64":
      return new Float64Array(buffer, byteOffset, count);
    case "int64":
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
    case "uint64":
      return Float64Array.from(new BigUint64Array(buffer, byteOffset, count), Number);
  }
}

const machineIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Turns the bytes of each number round. */
function reverseEach(bytes: Uint8Array, size: number) {
  for (let start = 0; start < bytes.length; start += size) {
    for (let low = start, high = start + size - 1; low < high; low++, high--) {
      const byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
  }
}
