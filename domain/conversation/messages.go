package conversation

// messages are what conversations are told and asked, for the way between
// nodes.
func messages() []any {
	return []any{
		Receive{},
		Begin{},
		Initiate{},
		Resume{},
		Abandon{},
		Answer{},
		Delay{},
		Close{},
		Progress{},
		Attempt{},
		Granted{},
		GiveUp{},
		ReportSent{},
		ReportRefused{},
		ReportUnclear{},
		ReportFetched{},
		ReportUnfetched{},
		ReportContact{},
		SkipContact{},
		Ask{},
		TurnState{},
		Open{},
		Describe{},
		Write{},
		Erase{},
		ReportBared{},
		ReportCleared{},
		Introduce{},
		Rewrite{},
		Strike{},
		Attach{},
	}
}
