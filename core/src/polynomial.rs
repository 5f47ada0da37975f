//! Elementary functions in single precision.
#[expect(missing_docs, reason = "placeholder")]
pub fn exp(x: f32) -> f32 {
    libm::expf(x)
}
#[expect(missing_docs, reason = "placeholder")]
pub fn ln(x: f32) -> f32 {
    libm::logf(x)
}
#[expect(missing_docs, reason = "placeholder")]
pub fn tanh(x: f32) -> f32 {
    libm::tanhf(x)
}
#[expect(missing_docs, reason = "placeholder")]
pub fn sin(x: f32) -> f32 {
    libm::sinf(x)
}
#[expect(missing_docs, reason = "placeholder")]
pub fn cos(x: f32) -> f32 {
    libm::cosf(x)
}
