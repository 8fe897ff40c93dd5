export * from './abi/index.ts'
export * from './certificates.ts'
export * from './errors.ts'
export { sentences } from './sentences.ts'
