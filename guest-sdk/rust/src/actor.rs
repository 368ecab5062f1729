#![forbid(unsafe_code)]

/// Generates the module `bindings` from the WIT in the folder `wit` beside `Cargo.toml`.
///
/// Write it once, in `lib.rs`. What stands in the parentheses goes to `wit_bindgen::generate!`, such as
/// `world: "counter-actor"` where the WIT has several.
#[macro_export]
macro_rules! bindings {
    ($($option:ident : $value:expr),* $(,)?) => {
        #[allow(unsafe_code, dead_code, unused, clippy::all)]
        mod bindings {
            $crate::wit_bindgen::generate!({
                runtime_path: "::loom_actor::wit_bindgen::rt",
                generate_all,
                $($option: $value,)*
            });
        }
    };
}

/// Makes a struct an actor: its methods become the exported interface, its fields are the state.
///
/// The struct needs `Default`, which runs inside the actor's first call, so it may ask the host. Methods take
/// `&mut self` or `&self`; ordinary `impl` blocks beside it hold what the interface does not have.
///
/// ```ignore
/// loom_actor::actor! {
///     impl Guest for Counter {
///         fn increment(&mut self, by: u32) -> u64 {
///             self.total += u64::from(by);
///             self.total
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! actor {
    (impl $($guest:ident)::+ for $state:ident {
        $(
            $(#[$meta:meta])*
            fn $method:ident(& $($receiver:ident)+ $(, $param:ident : $type:ty)* $(,)?) $(-> $result:ty)?
                $body:block
        )*
    }) => {
        impl $state {
            $(
                $(#[$meta])*
                fn $method(& $($receiver)+ $(, $param: $type)*) $(-> $result)? $body
            )*
        }

        #[allow(unsafe_code)]
        const _: () = {
            ::std::thread_local! {
                static STATE: ::std::cell::RefCell<$state> = {
                    $crate::start();
                    ::std::cell::RefCell::new(::std::default::Default::default())
                };
            }

            struct Exported;

            impl $($guest)::+ for Exported {
                $(
                    fn $method($($param: $type),*) $(-> $result)? {
                        STATE.with(|state| state.borrow_mut().$method($($param),*))
                    }
                )*
            }

            crate::bindings::export!(Exported with_types_in crate::bindings);
        };
    };
}
