export { AbiCodecError, type AbiProblem } from './abiCodecError.ts';
export { CompiledAbi } from './compiledAbi.ts';
export { EventCodec, type EventData, type EventValues } from './eventCodec.ts';
export {
  CustomErrorCodec,
  FunctionCodec,
  type ResultValue,
  readSelector,
  SELECTOR_BYTES,
  selectorOf,
} from './functionCodec.ts';
export {
  decodeParameters,
  encodeParameters,
  MAX_ENCODING_BYTES,
  type NamedValues,
  ParameterCodec,
  type ParameterValues,
} from './parameterCodec.ts';
export {
  decodeRevertReason,
  encodeErrorReason,
  encodePanic,
  panicReasons,
  type RevertReason,
} from './revertData.ts';
export { MAX_TYPE_DEPTH } from './typeCodec.ts';
export { bytesToWord, wordToBytes } from './words.ts';
