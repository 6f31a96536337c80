//! Tree: walking through and rebuilding what the library's parser read. Neither recurses deeper than
//! the parser's own nodes; [`depth`] does not recurse at all and is asked first.

use dsntk_feel_parser::AstNode;
use dsntk_feel_parser::AstNode as N;

/// Nodes directly below.
pub(crate) fn children(node: &AstNode) -> Vec<&AstNode> {
    match node {
        N::Add(a, b)
        | N::And(a, b)
        | N::ContextEntry(a, b)
        | N::ContextTypeEntry(a, b)
        | N::Div(a, b)
        | N::Eq(a, b)
        | N::Every(a, b)
        | N::Exp(a, b)
        | N::Filter(a, b)
        | N::For(a, b)
        | N::FormalParameter(a, b)
        | N::FunctionDefinition(a, b)
        | N::FunctionInvocation(a, b)
        | N::FunctionType(a, b)
        | N::Ge(a, b)
        | N::Gt(a, b)
        | N::In(a, b)
        | N::InstanceOf(a, b)
        | N::IterationContextSingle(a, b)
        | N::Le(a, b)
        | N::Lt(a, b)
        | N::Mul(a, b)
        | N::NamedParameter(a, b)
        | N::Nq(a, b)
        | N::Or(a, b)
        | N::Out(a, b)
        | N::Path(a, b)
        | N::QuantifiedContext(a, b)
        | N::Range(a, b)
        | N::Some(a, b)
        | N::Sub(a, b) => vec![a, b],
        N::Between(a, b, c) | N::If(a, b, c) | N::IterationContextInterval(a, b, c) => {
            vec![a, b, c]
        }
        N::EvaluatedExpression(a)
        | N::FunctionBody(a, _)
        | N::IntervalEnd(a, _)
        | N::IntervalStart(a, _)
        | N::ListType(a)
        | N::Neg(a)
        | N::RangeType(a)
        | N::Satisfies(a)
        | N::UnaryGe(a)
        | N::UnaryGt(a)
        | N::UnaryLe(a)
        | N::UnaryLt(a)
        | N::UnaryEq(a)
        | N::UnaryNe(a) => vec![a],
        N::CommaList(all)
        | N::Context(all)
        | N::ContextType(all)
        | N::ExpressionList(all)
        | N::FormalParameters(all)
        | N::IterationContexts(all)
        | N::List(all)
        | N::NamedParameters(all)
        | N::NegatedList(all)
        | N::ParameterTypes(all)
        | N::PositionalParameters(all)
        | N::QualifiedName(all)
        | N::QuantifiedContexts(all) => all.iter().collect(),
        N::At(_)
        | N::Boolean(_)
        | N::ContextEntryKey(_)
        | N::ContextTypeEntryKey(_)
        | N::FeelType(_)
        | N::Irrelevant
        | N::Name(_)
        | N::Null
        | N::Numeric(..)
        | N::ParameterName(_)
        | N::QualifiedNameSegment(_)
        | N::String(_) => vec![],
    }
}

/// The same node with every child replaced by what `act` makes of it.
pub(crate) fn rebuild(node: AstNode, act: &mut impl FnMut(AstNode) -> AstNode) -> AstNode {
    macro_rules! arms {
        (two $($two:ident)*; one $($one:ident)*; tagged $($tagged:ident)*; many $($many:ident)*; three $($three:ident)*) => {
            match node {
                $(N::$two(a, b) => N::$two(Box::new(act(*a)), Box::new(act(*b))),)*
                $(N::$one(a) => N::$one(Box::new(act(*a))),)*
                $(N::$tagged(a, tag) => N::$tagged(Box::new(act(*a)), tag),)*
                $(N::$many(all) => N::$many(all.into_iter().map(&mut *act).collect()),)*
                $(N::$three(a, b, c) => {
                    N::$three(Box::new(act(*a)), Box::new(act(*b)), Box::new(act(*c)))
                })*
                leaf => leaf,
            }
        };
    }
    arms!(
        two Add And ContextEntry ContextTypeEntry Div Eq Every Exp Filter For FormalParameter
            FunctionDefinition FunctionInvocation FunctionType Ge Gt In InstanceOf
            IterationContextSingle Le Lt Mul NamedParameter Nq Or Out Path QuantifiedContext Range
            Some Sub;
        one EvaluatedExpression ListType Neg RangeType Satisfies UnaryGe UnaryGt UnaryLe UnaryLt
            UnaryEq UnaryNe;
        tagged FunctionBody IntervalEnd IntervalStart;
        many CommaList Context ContextType ExpressionList FormalParameters IterationContexts List
            NamedParameters NegatedList ParameterTypes PositionalParameters QualifiedName
            QuantifiedContexts;
        three Between If IterationContextInterval
    )
}

/// Every node, parents before children.
pub(crate) fn every(node: &AstNode) -> impl Iterator<Item = &AstNode> {
    let mut open = vec![node];
    std::iter::from_fn(move || {
        let node = open.pop()?;
        open.extend(children(node));
        Some(node)
    })
}

/// How deep nodes nest.
pub(crate) fn depth(node: &AstNode) -> usize {
    let mut deepest = 0;
    let mut open = vec![(node, 1)];
    while let Some((node, depth)) = open.pop() {
        deepest = deepest.max(depth);
        open.extend(children(node).into_iter().map(|child| (child, depth + 1)));
    }
    deepest
}
