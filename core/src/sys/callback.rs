//! Closures passed down as two words: the address of the closure, and the function that calls it.
//!
//! A `&mut dyn FnMut` points to a table of functions instead, and a static program relocates every pointer of every
//! table at each start, whatever it is called as.

use core::marker::PhantomData;

/// The parameters and the result of a kind of callback.
pub trait Signature {
    /// The parameter, or a tuple of several.
    type Parameters<'b>;
    /// The result.
    type Result;
}

/// A borrowed closure of that signature.
pub struct Callback<'a, S: Signature> {
    closure: *mut (),
    call: for<'b> unsafe fn(*mut (), S::Parameters<'b>) -> S::Result,
    borrowed: PhantomData<&'a mut ()>,
}

impl<'a, S: Signature> Callback<'a, S> {
    /// The callback that calls `closure`.
    #[inline]
    pub fn new<F: for<'b> FnMut(S::Parameters<'b>) -> S::Result>(closure: &'a mut F) -> Self {
        /// # Safety
        /// `closure` points to an F that nothing else uses meanwhile.
        unsafe fn call<S: Signature, F: for<'b> FnMut(S::Parameters<'b>) -> S::Result>(
            closure: *mut (),
            parameters: S::Parameters<'_>,
        ) -> S::Result {
            // SAFETY: the caller's promise.
            let closure = unsafe { &mut *closure.cast::<F>() };
            closure(parameters)
        }
        Self { closure: core::ptr::from_mut(closure).cast(), call: call::<S, F>, borrowed: PhantomData }
    }

    /// Calls the closure.
    #[inline]
    pub fn call(&mut self, parameters: S::Parameters<'_>) -> S::Result {
        // SAFETY: `new` took the closure and its own `call` from one type F; it is borrowed for as long as this
        // callback lives, and `&mut self` says that no other call is under way.
        unsafe { (self.call)(self.closure, parameters) }
    }
}

/// Declares a callback: a borrowed closure with a parameter (a tuple of several) and a result.
#[macro_export]
macro_rules! callback {
    ($(#[$doc:meta])* $visibility:vis $name:ident = $signature:ident<$life:lifetime>($parameters:ty) -> $result:ty) => {
        $(#[$doc])*
        $visibility type $name<'a> = $crate::sys::callback::Callback<'a, $signature>;

        /// Its parameters and its result.
        $visibility struct $signature;

        impl $crate::sys::callback::Signature for $signature {
            type Parameters<$life> = $parameters;
            type Result = $result;
        }
    };
}
