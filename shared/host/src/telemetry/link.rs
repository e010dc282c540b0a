//! A job's span and the trace in its message.

use facereel_service::worker::TraceLink;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// Makes jobs spans of the traces that their messages name.
#[derive(Debug, Default)]
pub(super) struct Traces(TraceContextPropagator);

/// The one header that travels.
#[derive(Debug, Default)]
struct Header(Option<String>);

impl Extractor for Header {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == TRACEPARENT)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

impl Injector for Header {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.0 = Some(value);
        }
    }
}

impl TraceLink for Traces {
    fn link(&self, span: &Span, incoming: Option<&str>) -> Option<String> {
        let parent = self.0.extract(&Header(incoming.map(str::to_owned)));
        // What came is no trace context, or nobody sent one: then a trace begins here.
        if parent.span().span_context().is_valid() {
            // Fails only where spans are not recorded at all.
            let _ = span.set_parent(parent);
        }
        let context = span.context();
        let ids = context.span().span_context().clone();
        if !ids.is_valid() {
            return incoming.map(str::to_owned);
        }
        span.record("trace_id", field::display(ids.trace_id()));
        let mut header = Header::default();
        self.0.inject_context(&context, &mut header);
        header.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    /// What follows a job that came with `incoming`.
    fn following(incoming: Option<&str>) -> String {
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::error_span!("job", trace_id = field::Empty);
            Traces::default().link(&span, incoming).expect("spans are recorded")
        })
    }

    fn parts(header: &str) -> [&str; 4] {
        header.split('-').collect::<Vec<_>>().try_into().expect("four parts")
    }

    #[test]
    fn what_follows_belongs_to_the_same_trace_under_another_span() {
        let followed = following(Some(&format!("00-{TRACE}-00f067aa0ba902b7-01")));
        let [version, trace, span, flags] = parts(&followed);
        assert_eq!((version, trace, flags), ("00", TRACE, "01"));
        assert_ne!(span, "00f067aa0ba902b7");
    }

    #[test]
    fn without_a_trace_context_a_trace_begins() {
        for incoming in
            [None, Some("garbage"), Some("00-00000000000000000000000000000000-0000000000000000-01")]
        {
            let followed = following(incoming);
            let [_, trace, span, flags] = parts(&followed);
            assert_ne!(trace, "0".repeat(32));
            assert_ne!(span, "0".repeat(16));
            assert_eq!(flags, "01");
        }
    }

    #[test]
    fn where_no_spans_are_recorded_the_context_is_handed_on_unread() {
        let incoming = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let span = Span::none();
        assert_eq!(Traces::default().link(&span, Some(&incoming)), Some(incoming.clone()));
    }
}
