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

/// Makes a struct an actor: its methods become the exported interfaces, its fields are the state.
///
/// One `impl` block for each interface that the world exports, all of them in one `actor!`. The struct needs `Default`,
/// which runs inside the actor's first call, so it may ask the host. Methods take `&mut self` or `&self`; ordinary `impl`
/// blocks beside it hold what the interfaces do not have.
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
    (
        impl $($guest:ident)::+ for $state:ident { $($body:tt)* }
        $(impl $($more:ident)::+ for $same:ident { $($rest:tt)* })*
    ) => {
        $crate::__methods! { $state $($body)* }
        $($crate::__methods! { $same $($rest)* })*

        #[allow(unsafe_code)]
        const _: () = {
            ::std::thread_local! {
                static STATE: ::std::cell::RefCell<$state> = {
                    $crate::start();
                    ::std::cell::RefCell::new(::std::default::Default::default())
                };
            }

            struct Exported;

            $crate::__interface! { $($guest)::+, $($body)* }
            $($crate::__interface! { $($more)::+, $($rest)* })*

            crate::bindings::export!(Exported with_types_in crate::bindings);
        };
    };
}

/// The methods of one block, as the struct's own.
#[doc(hidden)]
#[macro_export]
macro_rules! __methods {
    ($state:ident $($method:tt)*) => {
        impl $state {
            $($method)*
        }
    };
}

/// The same signatures without a receiver, which call them on the actor's state.
#[doc(hidden)]
#[macro_export]
macro_rules! __interface {
    ($($guest:ident)::+, $(
        $(#[$meta:meta])*
        fn $method:ident(& $($receiver:ident)+ $(, $($param:ident)+ : $type:ty)* $(,)?) $(-> $result:ty)?
            $body:block
    )*) => {
        impl $($guest)::+ for Exported {
            $(
                #[allow(unused_mut)]
                fn $method($($($param)+: $type),*) $(-> $result)? {
                    STATE.with(|state| {
                        state.borrow_mut().$method($($crate::__argument!($($param)+)),*)
                    })
                }
            )*
        }
    };
}

/// `mut items` and `items` are both passed on as `items`.
#[doc(hidden)]
#[macro_export]
macro_rules! __argument {
    (mut $param:ident) => {
        $param
    };
    ($param:ident) => {
        $param
    };
}
