export { cholesky } from './cholesky'
export { gramF32, gramF64 } from './gram'
export { imageF32, imageF64, normalPairF32, normalPairF64 } from './normal'
export { surveyF32, surveyF64 } from './survey'
