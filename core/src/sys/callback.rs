//! Closures passed down as two words: where the closure lies, and the function that calls it.
//!
//! A `&mut dyn FnMut` points to a table of functions instead, and a static program relocates every pointer of every
//! table at each start, whatever it is called as.

/// Declares a callback: a borrowed closure with the given parameters and result.
#[macro_export]
macro_rules! callback {
    ($(#[$doc:meta])* $visibility:vis $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?) => {
        $(#[$doc])*
        $visibility struct $name<'a> {
            closure: *mut (),
            call: unsafe fn(*mut (), $($type),*) $(-> $result)?,
            borrowed: core::marker::PhantomData<&'a mut ()>,
        }

        impl<'a> $name<'a> {
            /// The callback that calls `closure`.
            #[inline]
            $visibility fn new<F: FnMut($($type),*) $(-> $result)?>(closure: &'a mut F) -> Self {
                /// # Safety
                /// `closure` points to an F that nobody else uses meanwhile.
                unsafe fn call<F: FnMut($($type),*) $(-> $result)?>(closure: *mut (), $($argument: $type),*) $(-> $result)? {
                    // SAFETY: the caller's promise.
                    let closure = unsafe { &mut *closure.cast::<F>() };
                    closure($($argument),*)
                }
                Self { closure: core::ptr::from_mut(closure).cast(), call: call::<F>, borrowed: core::marker::PhantomData }
            }

            /// Calls the closure.
            $visibility fn call(&mut self, $($argument: $type),*) $(-> $result)? {
                // SAFETY: `new` took the closure and its own `call` from one type F; it is borrowed for as long as this
                // callback lives, and `&mut self` says that no other call is under way.
                unsafe { (self.call)(self.closure, $($argument),*) }
            }
        }
    };
}
