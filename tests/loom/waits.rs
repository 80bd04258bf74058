#[test]
fn micro() {
    use eve::sync::*;
    use eve::sync::Ordering::*;
    use loom::sync::Arc;
    use loom::cell::UnsafeCell;
    struct C(UnsafeCell<u32>);
    unsafe impl Sync for C {}
    let r = std::panic::catch_unwind(|| {
    loom::model(|| {
        let s = Arc::new((AtomicU64::new(0), C(UnsafeCell::new(0))));
        let t = loom::thread::spawn({ let s = s.clone(); move || {
            let w = s.0.load(Acquire);
            if w == 2 { s.1.0.with_mut(|_| ()); }
        }});
        s.1.0.with(|_| ());
        s.0.store(1, Release);
        s.0.store(2, Relaxed);
        t.join().unwrap();
    });
    });
    println!("MICRO {:?}", r.is_err());
    let r = std::panic::catch_unwind(|| {
    loom::model(|| {
        let s = Arc::new((AtomicU64::new(0), C(UnsafeCell::new(0))));
        let t = loom::thread::spawn({ let s = s.clone(); move || {
            let w = s.0.load(Acquire);
            if w == 2 { fence(SeqCst); s.1.0.with_mut(|_| ()); }
        }});
        fence(SeqCst);
        s.1.0.with(|_| ());
        s.0.store(1, Release);
        s.0.store(2, Relaxed);
        t.join().unwrap();
    });
    });
    println!("MICRO2 {:?}", r.is_err());
}
