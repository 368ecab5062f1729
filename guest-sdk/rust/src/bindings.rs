// The host's own interfaces. The only module with unsafe code, all of it generated.
wit_bindgen::generate!({ path: "wit", world: "sdk", generate_all });
