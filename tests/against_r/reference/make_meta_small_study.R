# Tests for funnel asymmetry, trim and fill, selection models: metafor at tight tolerances.
# Run in this folder: Rscript make_meta_small_study.R   (writes meta_small_study.json)
suppressMessages({library(metafor); library(metadat); library(jsonlite)})
n <- as.numeric
tight <- function(...) {
  for (c in list(list(threshold=1e-12, maxiter=10000), list(threshold=1e-12, maxiter=20000, stepadj=0.5),
                 list(threshold=1e-12, maxiter=50000, stepadj=0.1), list(threshold=1e-12, maxiter=50000, stepadj=0.1, tau2.init=0.01))) {
    r <- tryCatch(suppressWarnings(rma(..., control=c)), error=function(e) NULL)
    if (!is.null(r)) return(r)
  }
  NULL
}
sets <- list()
counted <- function(name, d, a, n1, c, n2, measure="OR", arm2=NULL) {
  d <- d[!is.na(d[[a]]) & !is.na(d[[n1]]) & !is.na(d[[c]]) & !is.na(d[[n2]]), ]
  e <- escalc(measure=measure, ai=d[[a]], n1i=d[[n1]], ci=d[[c]], n2i=d[[n2]])
  keep <- !is.na(e$yi) & !is.na(e$vi); d <- d[keep, ]; e <- e[keep, ]
  sets[[name]] <<- list(yi=n(e$yi), vi=n(e$vi), ni=n(d[[n1]] + d[[n2]]), events_1=n(d[[a]]), n_1=n(d[[n1]]), events_2=n(d[[c]]), n_2=n(d[[n2]]))
}
b <- dat.bcg; b$n1i <- b$tpos + b$tneg; b$n2i <- b$cpos + b$cneg
for (m in c("OR", "RR", "RD")) counted(paste0("bcg_", m), b, "tpos", "n1i", "cpos", "n2i", m)
counted("egger2001_OR", dat.egger2001, "ai", "n1i", "ci", "n2i")
counted("li2007_OR", dat.li2007, "ai", "n1i", "ci", "n2i")
counted("lau1992_OR", dat.lau1992, "ai", "n1i", "ci", "n2i")
counted("nielweise2007_OR", dat.nielweise2007, "ai", "n1i", "ci", "n2i")
counted("yusuf1985_t6_OR", subset(dat.yusuf1985, table == 6), "ai", "n1i", "ci", "n2i")
h <- dat.hackshaw1998; sets$hackshaw1998 <- list(yi=n(h$yi), vi=n(h$vi))
g <- dat.bangertdrowns2004; sets$bangertdrowns2004 <- list(yi=n(g$yi), vi=n(g$vi), ni=n(g$ni))

regressions <- function(s) {
  out <- list()
  for (p in c("sei", "vi", "ni", "ninv", "sqrtni", "sqrtninv")) {
    if (is.null(s$ni) && !(p %in% c("sei", "vi"))) next
    x <- switch(p, sei=sqrt(s$vi), vi=s$vi, ni=s$ni, ninv=1/s$ni, sqrtni=sqrt(s$ni), sqrtninv=1/sqrt(s$ni))
    l <- lm(s$yi ~ x, weights=1/s$vi); q <- summary(l)$coefficients; ci <- confint(l)
    out[[paste0("regression_", p)]] <- list(coef=n(q[,1]), se=n(q[,2]), stat=n(q[2,3]), p=n(q[2,4]), df=l$df.residual, low=n(ci[1,1]), high=n(ci[1,2]))
    r <- tight(yi=s$yi, vi=s$vi, mods=cbind(x), method="REML")
    if (!is.null(r)) out[[paste0("random_", p)]] <- list(coef=n(r$beta), se=n(r$se), stat=n(r$zval[2]), p=n(r$pval[2]), tau2=n(r$tau2), low=n(r$ci.lb[1]), high=n(r$ci.ub[1]))
  }
  out
}
ranks <- function(s) { f <- function(e) { t <- suppressWarnings(ranktest(s$yi, vi=s$vi, exact=e)); list(tau=n(t$tau), p=n(t$pval)) }
  list(exact=f(NULL), normal=f(FALSE)) }
filled <- function(s) {
  out <- list()
  for (m in c("EE", "DL", "REML")) for (est in c("L0", "R0", "Q0")) for (side in c("auto", "left", "right")) {
    base <- if (m == "REML") tight(yi=s$yi, vi=s$vi) else rma(s$yi, s$vi, method=m)
    if (is.null(base)) next
    a <- list(base, estimator=est); if (side != "auto") a$side <- side
    t <- tryCatch(suppressWarnings(do.call(trimfill, a)), error=function(e) NULL)
    key <- paste(m, est, side, sep="_")
    if (is.null(t)) { out[[key]] <- list(undefined=TRUE); next }
    r <- t
    if (m == "REML" && t$k0 > 0) { # trimfill refits at the loose default threshold; the same steps at a tight one
      sign <- if (t$side == "right") -1 else 1; o <- order(sign*s$yi); y <- (sign*s$yi)[o]; v <- s$vi[o]; k <- length(y)
      f <- tight(yi=y[1:(k-t$k0)], vi=v[1:(k-t$k0)]); top <- (k-t$k0+1):k
      if (is.null(f)) next
      r <- tight(yi=sign*c(y, 2*n(f$beta) - y[top]), vi=c(v, v[top])); if (is.null(r)) next
    }
    out[[key]] <- list(k0=t$k0, side=t$side, se_k0=if (m == "REML") NULL else n(t$se.k0), p_k0=if (is.null(t$p.k0)) NA else n(t$p.k0),
      b=n(r$beta), se=n(r$se), low=n(r$ci.lb), high=n(r$ci.ub), tau2=n(r$tau2), q=n(r$QE))
  }
  out
}
selected <- function(s, name) {
  out <- list(); base <- tight(yi=s$yi, vi=s$vi, method="ML"); if (is.null(base)) return(out)
  int <- list(lower=-25, upper=25, subdivisions=5000, rel.tol=1e-10)
  controls <- list(list(optimizer="nlminb", rel.tol=1e-12, iter.max=2000, eval.max=2000, intCtrl=int),
                   list(optimizer="nlminb", rel.tol=1e-10, iter.max=2000, eval.max=2000, intCtrl=int))
  fit <- function(key, ...) for (c in controls) {
    f <- tryCatch(suppressWarnings(selmodel(base, ..., control=c)), error=function(e) NULL)
    if (!is.null(f) && max(f$delta) < 50) { out[[key]] <<- list(b=n(f$beta), se=n(f$se), tau2=n(f$tau2), delta=n(f$delta), LRT=n(f$LRT), p=n(f$LRTp), loglik=n(logLik(f))); return(invisible()) }
  }
  for (alt in c("greater", "less")) {
    fit(paste0("step_", alt), type="stepfun", steps=.025, alternative=alt)
    fit(paste0("two_steps_", alt), type="stepfun", steps=c(.025, .5), alternative=alt)
    fit(paste0("fixed_step_", alt), type="stepfun", steps=c(.025, .5), alternative=alt, delta=c(1, .6, .3))
    if (name %in% c("bcg_OR", "hackshaw1998", "li2007_OR") && (alt == "less") == (name == "li2007_OR"))  # one direction: each takes seconds
      for (ty in c("halfnorm", "negexp", "logistic")) fit(paste0(ty, "_", alt), type=ty, alternative=alt)
  }
  if (name %in% c("bcg_OR", "hackshaw1998", "li2007_OR")) fit("beta_greater", type="beta", alternative="greater")
  out
}
out <- list(source=paste0("metafor ", packageVersion("metafor"), ", metadat ", packageVersion("metadat"), "; make_meta_small_study.R"), sets=list())
for (name in names(sets)) { s <- sets[[name]]; cat(name, "\n")
  out$sets[[name]] <- list(data=s, regression=regressions(s), rank=ranks(s), trim_and_fill=filled(s), selection=selected(s, name)) }
write(toJSON(out, digits=NA, auto_unbox=TRUE, null="null", na="null"), "meta_small_study.json")
